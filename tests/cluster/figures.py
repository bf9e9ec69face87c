"""What the stories measured: kept for the report, never asserted."""
import json


class Figures:
    def __init__(self):
        self.stories = {}

    def add(self, story, **values):
        self.stories.setdefault(story, {}).update(values)

    def write(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.stories, file, indent=2)
            file.write("\n")

    def lines(self):
        for story, values in self.stories.items():
            yield f"{story}: " + ", ".join(f"{name} = {value}" for name, value in values.items())
