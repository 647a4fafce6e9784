"""A usage store in memory, which passes the same tests as the one on DynamoDB (tests/unit/aws/test_usage_store.py)."""

from cutout.usage import Charge, DailyUsage, Usage, month_of


class MemoryUsageStore:
    def __init__(self) -> None:
        self.charges: dict[str, Charge] = {}
        self.asked = 0

    def record(self, charge: Charge) -> bool:
        return self.charges.setdefault(charge.id, charge) is charge

    def total(self, account_id: str, month: str) -> Usage:
        self.asked += 1
        charges = [charge for charge in self.charges.values() if charge.account_id == account_id]
        return sum((charge.usage for charge in charges if month_of(charge.at) == month), Usage())

    def daily(self, account_id: str, month: str) -> list[DailyUsage]:
        found: dict[tuple[str, str], Usage] = {}
        for charge in self.charges.values():
            if (charge.account_id, charge.month) == (account_id, month):
                found[charge.day, charge.key] = found.get((charge.day, charge.key), Usage()) + charge.usage
        return [DailyUsage(*place, usage) for place, usage in sorted(found.items())]
