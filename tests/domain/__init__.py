"""Tests of the domain: authorization, actions, credentials, tokens, audit log."""
