"""Everything on one machine: the processes, their ports, and what they tell."""
