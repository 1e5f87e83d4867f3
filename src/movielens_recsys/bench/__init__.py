"""The bench: our models and other libraries on identical rows, each in a process of its own."""
