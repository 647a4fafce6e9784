"""The fixtures of tests/conftest.py isolate tests from network, shell and each other."""

import os
import socket

import boto3
import pytest


def test_no_test_reaches_beyond_this_machine():
    with socket.socket() as connection, pytest.raises(pytest.fail.Exception, match=r"192\.0\.2\.1"):
        connection.connect(("192.0.2.1", 80))


def test_settings_of_the_developers_shell_are_removed():
    names = [name for name in os.environ if name.startswith(("CUTOUT_", "POWERTOOLS_"))]
    assert names == []
    assert os.environ["AWS_CONFIG_FILE"] == os.devnull


def test_the_fake_cloud_has_the_templates_table_and_bucket(cloud):
    tables = boto3.client("dynamodb").list_tables()["TableNames"]
    buckets = [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]]
    assert tables == [table.name for table in cloud.tables.values()]
    assert buckets == [bucket.name for bucket in cloud.buckets.values()]
    assert os.environ["CUTOUT_ACCOUNTS_TABLE"] in tables
