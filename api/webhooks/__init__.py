"""`python -m api webhooks`: the rows of a stream, each as a signed request to other servers."""
