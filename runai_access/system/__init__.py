"""The System page: what an operator should know about the installation."""
