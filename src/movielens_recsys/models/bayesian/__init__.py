"""The Bayesian ordinal factor model: kernels, Gibbs sampler, posterior samples and the recommender."""
