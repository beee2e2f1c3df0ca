"""How the assistant's models were made: `python -m training` needs PyTorch; nothing that answers imports this."""
