"""This repository's jobs, for invoke: `invoke help` lists them; they live in stageproof/tasks/."""

from stageproof.tasks import namespace

ns = namespace()
