"""The demo feeds: posts written for this project, served as WordPress serves its own."""
