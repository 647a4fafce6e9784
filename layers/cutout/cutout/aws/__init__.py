"""The only place that knows AWS: events, DynamoDB, S3, Lambda, logs and metrics."""
