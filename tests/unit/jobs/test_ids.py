import re

from cutout.jobs.ids import idempotent_job_id, is_job_id, new_job_id, object_job_id


def test_a_new_id_is_random_and_has_the_form_of_an_id():
    made = {new_job_id() for _ in range(100)}

    assert len(made) == 100
    assert all(re.fullmatch(r"job_[0-9a-f]{32}", job_id) and is_job_id(job_id) for job_id in made)


def test_only_whole_ids_are_ids():
    job_id = new_job_id()

    for text in ("", "job_", job_id[:-1], job_id + "0", job_id.upper(), f" {job_id}", f"{job_id}\n", job_id + "/x"):
        assert not is_job_id(text)


def test_an_objects_version_has_one_id_and_another_has_another():
    same = {object_job_id("b", "uploads/a/ünï.jpg", "1") for _ in range(3)}
    others = {object_job_id(*parts) for parts in (("b", "k", "1"), ("b", "k", "2"), ("b", "k1", ""), ("bk", "", "1"))}

    assert len(same) == 1
    assert len(others) == 4
    assert all(map(is_job_id, same | others))


def test_an_idempotency_key_belongs_to_its_account():
    assert idempotent_job_id("a", "key") == idempotent_job_id("a", "key")
    assert idempotent_job_id("a", "key") != idempotent_job_id("b", "key")
    assert idempotent_job_id("a", "1key") != idempotent_job_id("a1", "key")
    assert idempotent_job_id("a", "key") != object_job_id("a", "key", "")
    assert is_job_id(idempotent_job_id("a", "\ud800 half a pair"))
