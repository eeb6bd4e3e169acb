"""The Applications page: its list, and the dialogs that are addresses of their own."""
