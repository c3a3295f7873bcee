"""One file a format: what is seen on the stage, kept on disk."""
