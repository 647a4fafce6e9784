"""The jobs' queue: images that were uploaded, or that a job asks for. Runs in the container image."""

from cutout import container as warm
from cutout.aws.s3_events import read_message
from cutout.aws.sqs import Message, come_again, queue_handler


def process(message: Message) -> None:
    """Do what a message asks for; what cannot be done now comes again."""
    with come_again(message, warm.job_queue()):
        tasks = read_message(message.body, warm.settings().uploads_bucket)
        warm.job_intake().do_all(tasks, message.time_left)


handler = queue_handler(process)


warm.prepare_inside_lambda()  # the one import that does work: the init phase has a full core and is paid for
