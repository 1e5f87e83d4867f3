"""An account survives being written as JSON."""

import json

from movielens_recsys.data.readers.account import ColumnAccount, ReadingAccount


def test_an_account_is_plain_json_and_back():
    columns = (ColumnAccount("user", "who", "text"), ColumnAccount("rating", "stars", "numbers", 3))
    account = ReadingAccount("text", 7, 1, 1, 5, columns, ("note",), {"user_missing": 2})
    assert ReadingAccount.from_json(json.loads(json.dumps(account.to_json()))) == account
