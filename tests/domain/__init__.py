"""What the core does, whoever asks: authorization, actions, credentials, tokens, the record."""
