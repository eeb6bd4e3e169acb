"""Single sign-on: users sign in with an OpenID Connect provider, and groups follow its claims."""
