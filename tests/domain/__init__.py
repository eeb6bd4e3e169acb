"""Tests of the domain, without pages and API: authorization, actions, credentials, tokens, audit log."""
