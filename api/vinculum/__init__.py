"""What others build on: the client of the service, under the name of the distribution."""
