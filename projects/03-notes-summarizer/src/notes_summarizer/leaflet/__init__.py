"""Leaflets for patients, written from passages of MedQuAD that they cite."""
