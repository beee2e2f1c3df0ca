"""How the models were made: `python -m training` needs PyTorch. Nothing that answers imports this."""
