"""The other chapters' models, asked as what they are in a hospital: services with an address."""
