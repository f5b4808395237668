"""naive.py - a reader as one writes it first, in the guard's place: that the comparison can fail."""
import hashlib
import re

import compare
import mutate
import readers


def read(ctype, body):
    """Splits at CRLF--B, takes names from where they seem to be, the first of each. None: no form."""
    found = re.search(r'boundary="?([^";,\s]+)', ctype)
    if not found:
        return None
    dash = b"\r\n--" + found.group(1).encode("latin-1")
    fields, content, offset, at = {}, None, 0, 0
    for piece in (b"\r\n" + body).split(dash):
        head, mark, data = piece.partition(b"\r\n\r\n")
        name = re.search(rb'(?<!file)name="?([^";\r\n]*)', head)
        if mark and name:
            name = name.group(1).decode("latin-1")
            file = re.search(rb'filename="?([^";\r\n]*)', head)
            if name == "content" and file and content is None:
                content, offset = (file.group(1).decode("latin-1"), data), at + len(head) + 2
            fields.setdefault(name, data.decode("latin-1"))
        at += len(piece) + len(dash)
    if content is None or "name" not in fields:
        return None
    return {"name": fields["name"], "version": fields.get("version"), "action": fields.get(":action"), "filename": content[0],
            "sha256": hashlib.sha256(content[1]).hexdigest(), "fields": sorted(fields), "offset": offset}


def trial(crew):
    """{id: names of those that read the case otherwise} for the refused cases that look like a form.
    A refusal is no other reading: only two answers that differ are counted."""
    cases = [(c.id, c.head_type() or "", c.body) for c in mutate.corpus.cases()
             if not c.http_only and c.verdict != "allowed" and len(c.body) < 100000]
    cases = [(*c, read(*c[1:])) for c in cases if read(*c[1:])]
    records = [readers.record(0, c[1], c[2]) for c in cases]
    found = {c[0]: [] for c in cases}
    for reader in crew.readers:
        for (cid, _, _, guard), said in zip(cases, reader.ask(records)):
            if "error" not in said and compare.differences({k: guard[k] for k in compare.KEYS}, said):
                found[cid].append(reader.name)
    return found


def show(found):
    for cid, names in found.items():
        print("%-5s %s" % (cid, " ".join(names)))
    told = sum(1 for names in found.values() if names)
    print("%d refused cases read by a careless guard; on %d of them readers disagree with it" % (len(found), told))
    return 0 if told else 1
