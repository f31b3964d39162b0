"""The way of a model through one of IBM's clients; run as a program of its own.

    python ibms_client.py PACKAGE cpd|cloud ARCHIVE DIGITS

Takes where to go from the environment, as `pytest-wml serve` says it. As `cloud`, IBM Cloud's hosts are looked up
at the server. Prints the classes that were answered, and what is left at the end, as JSON.
"""

import importlib
import json
import os
import socket
import sys
from urllib.parse import urlsplit


def led_to(port):
    """Look IBM Cloud's hosts up at this port of this machine."""
    look_up = socket.getaddrinfo

    def found(host, wanted, *rest, **more):
        return look_up("127.0.0.1", port, *rest, **more) if str(host).endswith(".ibm.com") else look_up(host, wanted)

    socket.getaddrinfo = found


def credentials(kind):
    if kind == "cloud":
        led_to(urlsplit(os.environ["WML_URL"]).port)
        return {"url": "https://us-south.ml.cloud.ibm.com", "apikey": "any"}
    names = ("url", "username", "apikey", "instance_id", "version")
    return {name: os.environ[f"WML_{name.upper()}"] for name in names}


def connected(package, given):
    module = importlib.import_module(package)
    if package == "ibm_watson_machine_learning":
        return module.APIClient(given)
    given = {{"apikey": "api_key"}.get(name, name): value for name, value in given.items()}
    given.pop("instance_id", None)
    return module.APIClient(module.Credentials(**given))


def main(package, kind, archive, digits):
    client = connected(package, credentials(kind))
    client.set.default_space(os.environ["WML_SPACE_ID"])
    spec = client.software_specifications.get_id_by_name("runtime-24.1-py3.11")
    meta = {"name": "digits", "type": "tensorflow_2.14", "software_spec": spec}
    model_id = client.repository.store_model(archive, meta_props=meta)["metadata"]["id"]
    deployed = client.deployments.create(model_id, meta_props={"name": "digits", "online": {}})
    deployment_id = deployed["metadata"]["id"]
    with open(digits) as file:
        predictions = client.deployments.score(deployment_id, json.load(file))["predictions"]
    client.deployments.delete(deployment_id)
    client.repository.delete(model_id)
    left = [one for one in client.repository.get_model_details()["resources"] if one["metadata"]["id"] == model_id]
    print(json.dumps({"predictions": predictions, "left": left}))


if __name__ == "__main__":
    main(*sys.argv[1:])
