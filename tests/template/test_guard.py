"""AWS Control Tower's rules by cfn-guard: each that is broken has its reason here, and no reason is left over."""

import json
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

from local import ROOT
from tests.support.node_packages import install, unavailable

HERE = Path(__file__).parent / "guard"
PACKAGE = HERE / "node_modules/@cdklabs/cdk-validator-cfnguard"
PLATFORMS = {"Linux": "ubuntu", "Darwin": "macos"}

EXCEPTIONS = {
    "api_gw_domain_tls_check": "the parameter TlsPolicy, which the rule does not resolve; TLS 1.2 is its least",
    "api_gw_v1_execution_logging_enabled_check": "they would hold headers and with them keys; access logs are on",
    "api_gw_xray_enabled_check": "the parameter Tracing, which the rule does not resolve; on by default",
    "cloudwatch_log_group_encrypted_check": "CloudWatch's own key encrypts logs, which hold neither keys nor pictures",
    "cloudwatch_log_group_retention_period_check": "the parameter LogRetention, which the rule does not resolve",
    "dynamodb_table_encrypted_kms_check": "the parameter OwnKey, which the rule does not resolve",
    "dynamodb_table_pitr_enabled_check": "JobsTable: a backup would keep for weeks what is gone after a day",
    "ecs_service_assign_public_ip_disabled_check": "the parameter AssignPublicIp, off by default; it is not resolved",
    "ecs_task_definition_memory_hard_limit_check": "the parameter TaskMemory, which the rule does not resolve",
    "elbv2_acm_certificate_required_check": "the parameter CertificateArn, which the rule does not resolve",
    "elbv2_deletion_protection_enabled_check": "the stack holds no data, and could not be deleted by its template",
    "kms_create_grant_aws_service_check": "the account's owners hold kms:*, as a key that can be managed must say",
    "lambda_function_public_access_prohibited_check": "SAM names the API by Fn::Sub, which the rule does not resolve",
    "lambda_inside_vpc_check": "nothing of the stack lies in a VPC",
    "s3_bucket_default_encryption_kms_check": "the parameter OwnKey, which the rule does not resolve",
    "s3_bucket_logging_enabled_check": "logs would tell who fetched a result for longer than it is kept",
    "s3_bucket_object_lock_enabled_check": "objects are gone after a day, as is promised",
    "s3_bucket_policy_ssl_requests_only_check": "buckets are named by Fn::Sub; test_rights.py looks at it",
    "s3_bucket_versioning_enabled_check": "an older version would outlive its day",
    "s3_event_notifications_enabled_check": "only the uploads bucket tells of objects",
    "sqs_dlq_check": "dead letter queues have none of their own",
    "sqs_queue_encrypted_check": "SQS's own key or, by OwnKey, the stack's; the rule does not resolve it",
    "cloudwatch_alarm_action_check": "alarms that are parts of a composite one, or that stop a deployment, call nobody",
}


def broken(template: Path) -> set[str]:
    """Names of the rules that a template breaks."""
    install(HERE)
    system = PLATFORMS.get(platform.system())
    machine = platform.machine().replace("arm64", "aarch64")
    program = PACKAGE / f"bin/{system}/{machine}/cfn-guard"
    if not program.exists():
        unavailable(f"cfn-guard is not packaged for {platform.system()} on {machine}")
    rules = PACKAGE / "rules/control-tower/cfn-guard"
    command = [program, "validate", "-d", template, "-r", rules, "--show-summary", "all"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    results = re.findall(r"^\S+\.guard/(\w+) +(PASS|FAIL|SKIP)$", done.stdout, re.MULTILINE)
    assert len(results) > 200, done.stdout + done.stderr
    return {name for name, result in results if result == "FAIL"}


def test_every_rule_of_control_tower_holds_but_the_exceptions(stack: dict[str, Any], tmp_path: Path) -> None:
    translated = tmp_path / "stack.json"
    translated.write_text(json.dumps(stack))
    others = ("monitoring.yaml", "operations.yaml", "container.yaml")
    found = broken(translated).union(*(broken(ROOT / name) for name in others))
    assert found == set(EXCEPTIONS)


def test_a_rule_would_find_something(tmp_path: Path) -> None:
    open_bucket = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}}}}
    (tmp_path / "wrong.json").write_text(json.dumps(open_bucket))
    assert "s3_bucket_level_public_access_prohibited_check" in broken(tmp_path / "wrong.json")
