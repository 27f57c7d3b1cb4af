"""Decision support by CDS Hooks 2.0: services, clients, cards, the ledger of what was said, and the switch that stops it."""
