"""HTML as its elements, by a parser that repairs nothing."""

from html.parser import HTMLParser

VOID = {"meta", "input", "img", "br", "col", "hr", "link"}


class Reader(HTMLParser):
    """Elements: tag, text, attributes, id of the article around them; an unclosed or crossed one is an error."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.errors = [], [], []
        self.feed(text)
        self.close()
        self.errors += [f"{one['tag']} is not closed" for one in self.open]
        for one in self.elements:
            one["text"] = "".join(one["text"])

    def handle_starttag(self, tag, attrs):
        if len(dict(attrs)) < len(attrs):
            self.errors.append(f"{tag} has an attribute twice")
        article = next((other.get("id") for other in reversed(self.open) if other["tag"] == "article"), None)
        one = {"tag": tag, "text": [], "article": article} | dict(attrs)
        self.elements.append(one)
        if tag not in VOID:
            self.open.append(one)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1]["tag"] != tag:
            self.errors.append(f"</{tag}> closes nothing")
        else:
            self.open.pop()

    def handle_data(self, data):
        for one in self.open:
            one["text"].append(data)

    def all(self, tag=None, **attributes):
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        return [one for one in self.elements if tag in (None, one["tag"]) and wanted.items() <= one.items()]
