"""Requests to hosts that clients name: image URLs and webhooks, guarded against server-side request forgery."""
