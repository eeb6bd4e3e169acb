"""The Applications page: its list, the detail page, and the dialogs."""
