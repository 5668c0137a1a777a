"""How fast mails go out: limits that all workers together obey, and when nothing goes at all."""
