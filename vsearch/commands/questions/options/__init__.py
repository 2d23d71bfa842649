"""Options of a question: what is looked for, where, and which of the moments are shown."""
