"""The service: settings, the pipeline where the siblings meet, identity, GraphQL and the command line."""
