"""Several fitted recommenders as one: their predictions blended by weights or trees."""
