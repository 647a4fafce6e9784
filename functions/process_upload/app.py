"""The jobs' queue: images that were uploaded, or that a job asks for. Runs in the container image."""

from cutout.aws.s3_events import read_message
from cutout.aws.sqs_events import QueueMessage, postpone_failures, queue_handler
from cutout.container import container


def process(message: QueueMessage) -> None:
    """Do what a message asks for; what cannot be done now comes again."""
    app = container()
    with postpone_failures(message, app.job_queue):
        tasks = read_message(message.body, app.settings.uploads_bucket)
        app.upload_intake.process(tasks, message.time_left)


handler = queue_handler(process, tracing=container().settings.tracing)


# the one import that does work: the init phase has a full core and is paid for
container().prepare_inside_lambda(lambda app: (app.access, app.job_storage))
