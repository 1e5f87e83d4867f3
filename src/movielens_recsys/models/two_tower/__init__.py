"""The two-tower VAE: users and items are encoded from their ratings, a decoder predicts ratings of pairs."""
