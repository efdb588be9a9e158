#!/usr/bin/env python3
"""Walks the main job from Python with nothing but reflection: no generated code, no .proto files.

    cargo dev up --detach
    python3 -m venv target/walk && target/walk/bin/pip install grpcio grpcio-reflection
    target/walk/bin/python tests/e2e/walks/walk.py

Asks the running stack for its address and tokens (`cargo dev status`, `cargo dev token`), or takes STEWARD_GATEWAY and
STEWARD_TOKEN_<ROLE> from the environment.
"""

import os
import subprocess
import sys
import time
import uuid

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


def token(role, subject):
    """A token of the development issuer."""
    given = os.environ.get(f"STEWARD_TOKEN_{role.upper()}")
    if given:
        return given
    command = ["cargo", "dev", "token", "--role", role, "--subject", subject, "--estate", "*"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1]


class Gateway:
    """Calls by name; messages are dicts, as in the JSON API."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)
        self.pool = DescriptorPool(ProtoReflectionDescriptorDatabase(self.channel))

    def call(self, who, method, **fields):
        """Calls `Service.Method` of package steward.<package>.v1, given as package.Service/Method."""
        package, rpc = method.split(".", 1)
        service, name = rpc.split("/")
        descriptor = self.pool.FindServiceByName(f"steward.{package}.v1.{service}").methods_by_name[name]
        ask = message_factory.GetMessageClass(descriptor.input_type)
        answer = message_factory.GetMessageClass(descriptor.output_type)
        request = json_format.ParseDict(fields, ask(), descriptor_pool=self.pool)
        path = f"/steward.{package}.v1.{service}/{name}"
        stub = self.channel.unary_unary(path, request_serializer=ask.SerializeToString, response_deserializer=answer.FromString)
        response = stub(request, metadata=[("authorization", f"Bearer {who}")], timeout=20)
        return json_format.MessageToDict(response, descriptor_pool=self.pool)


def request_id():
    return str(uuid.uuid4())


def walk(gateway):
    manager = token("estate_manager", "manager.wu")
    technician = token("technician", "tech.py")
    desk = token("customer_service", "desk.py")

    estate = gateway.call(manager, "customer.EstateService/ListEstates", pageSize=1)["estates"][0]
    customer = gateway.call(manager, "customer.CustomerService/ListCustomers", estateId=estate["id"], pageSize=1)["customers"][0]
    tenure = gateway.call(manager, "customer.TenureService/ListTenures", customerId=customer["id"], pageSize=1)["tenures"][0]
    print(f"estate {estate['code']}, unit {tenure['unitFullCode']}, customer {customer['number']} {customer['name']}")

    report = {
        "requestId": request_id(),
        "channel": "CHANNEL_HOTLINE",
        "estateId": estate["id"],
        "unitId": tenure["unitId"],
        "reporter": {"customerId": customer["id"]},
        "kind": "WORK_ORDER_KIND_REPAIR",
        "text": "厨房水管爆裂",
    }
    taken = gateway.call(desk, "gateway.IntakeService/SubmitReport", **report)
    order = taken["workOrder"]
    print(f"{order['number']} {taken['classification']}")
    again = gateway.call(desk, "gateway.IntakeService/SubmitReport", **report)
    assert again["workOrder"]["id"] == order["id"], "the same request id gave another order"

    def verb(who, name, **fields):
        answer = gateway.call(
            who, f"work_order.WorkOrderService/{name}", workOrderId=order["id"], requestId=request_id(), **fields
        )["workOrder"]
        print(f"  {name:<16} -> {answer['state']} cycle {answer['cycle']}")
        return answer

    def work():
        verb(manager, "AssignWorkOrder", assignee="tech.py")
        verb(technician, "AcceptWorkOrder")
        promise = {"value": 2, "unit": "UNIT_HOUR", "calendar": "24x7"}
        verb(technician, "ContactCustomer", reached=True, promise=promise)
        verb(technician, "ArriveOnSite")
        photo = {"key": "photos/after.jpg", "sha256": "0" * 64, "kind": "MEDIA_KIND_AFTER"}
        verb(technician, "CompleteWorkOrder", summary="换了软管", media=[photo])

    def call_back(score):
        return verb(desk, "RecordCallback", outcome="CALLBACK_OUTCOME_REACHED", score=score, mode="CALLBACK_MODE_PHONE")

    work()
    reopened = call_back(2)
    assert reopened["state"] == "STATE_REOPENED" and reopened["cycle"] == 2, reopened
    work()
    call_back(5)
    closed = verb(desk, "CloseWorkOrder", closeCode="CLOSE_CODE_RESOLVED")
    assert closed["state"] == "STATE_CLOSED", closed

    try:
        verb(manager, "AssignWorkOrder", assignee="tech.py")
    except grpc.RpcError as refusal:
        print(f"  refused as it should be: {refusal.code().name}: {refusal.details()}")
        assert refusal.code() == grpc.StatusCode.FAILED_PRECONDITION
    else:
        raise AssertionError("a closed order was assigned")
    print("the walk is done")


def address():
    given = os.environ.get("STEWARD_GATEWAY")
    if given:
        return given
    status = subprocess.run(["cargo", "dev", "status"], check=True, capture_output=True, text=True).stdout
    for line in status.splitlines():
        words = line.split()
        if words and words[0] == "gateway":
            return f"127.0.0.1:{words[words.index('port') + 1]}"
    sys.exit("the gateway does not run: cargo dev up --detach")


if __name__ == "__main__":
    begun = time.monotonic()
    walk(Gateway(address()))
    print(f"{time.monotonic() - begun:.1f} s")
