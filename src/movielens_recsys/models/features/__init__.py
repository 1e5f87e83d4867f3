"""Features that several families of models share."""
