"""The hybrid VAE that encodes users and items from their ratings."""
