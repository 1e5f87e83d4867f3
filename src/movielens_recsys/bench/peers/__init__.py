"""Scripts that run other libraries, each with that library's own interpreter."""
