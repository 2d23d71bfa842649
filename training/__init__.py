"""How the models that vsearch ships are made and measured."""
