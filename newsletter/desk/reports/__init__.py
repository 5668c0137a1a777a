"""What the weeks and months brought, as drawings, tables and files. Counts only, nobody's rows."""
