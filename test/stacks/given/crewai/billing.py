"""What the reader of the page has: an agent, and an LLM for the one who asks it."""

import json
import re
from typing import Any

from crewai import Agent
from crewai.a2a.config import A2AServerConfig
from crewai.llms.base_llm import BaseLLM


class Echo(BaseLLM):
    """Repeats the task. Needs no network."""

    def call(self, messages: Any, *_: Any, **__: Any) -> str:
        """One answer, in the form that an agent has to give it."""
        prompt = messages if isinstance(messages, str) else messages[-1]["content"]
        [task] = re.findall(r"Current Task: (.*)", prompt)
        return f"Thought: I now can give a great answer\nFinal Answer: heard: {task}"

    async def acall(self, *arguments: Any, **options: Any) -> str:
        """The same."""
        return self.call(*arguments, **options)


class Delegating(Echo):
    """Asks the remote agent each task, and answers with what that said."""

    def call(self, messages: Any, *_: Any, response_model: Any = None, **__: Any) -> str:
        """What crewAI asks of an LLM whose agent may delegate."""
        prompt = messages[-1]["content"]
        if answers := re.findall(r"heard: [\w ?]*", prompt):
            return json.dumps({"is_a2a": False, "message": answers[-1], "a2a_ids": []})
        [task] = re.findall(r"Current Task: (.*)", prompt)
        known = response_model.model_json_schema()["properties"]["a2a_ids"]["items"]
        return json.dumps({"is_a2a": True, "message": task, "a2a_ids": [known["const"]]})


llm = Delegating(model="delegating")


def make_agent(a2a: A2AServerConfig) -> Agent:
    """One that is asked."""
    return Agent(role="billing", goal="Repeats.", backstory="An echo.", llm=Echo(model="echo"), a2a=a2a)
