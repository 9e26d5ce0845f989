"""IN: where data comes from and how it becomes clean."""
