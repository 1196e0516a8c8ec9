# boto3 against the endpoint: put, get, list, ranges, parts, copy, conditions, checksums, presigned URLs; and, `again`, what is there after a restart.
import hashlib
import os
import ssl
import sys
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

scheme, large = sys.argv[1], sys.argv[2]
ca = os.environ.get("ca") or None
names = int(os.environ["NAMES"])
bucket = f"boto3-{scheme}"
s3 = boto3.client(
    "s3", endpoint_url=os.environ["endpoint"], verify=ca, config=Config(retries={"max_attempts": 1}, signature_version="s3v4")
)


def refused(code, call, **kwargs):
    try:
        call(**kwargs)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
    else:
        raise AssertionError(f"not refused as {code}")


def digest(stream):
    sha = hashlib.sha256()
    for piece in iter(lambda: stream.read(1 << 20), b""):
        sha.update(piece)
    return sha.hexdigest()


with open(large, "rb") as file:
    expected = digest(file)
if len(sys.argv) > 3:
    assert digest(s3.get_object(Bucket=bucket, Key="large")["Body"]) == expected
    upload = s3.list_multipart_uploads(Bucket=bucket)["Uploads"][0]
    args = dict(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    parts = [dict(PartNumber=p["PartNumber"], ETag=p["ETag"]) for p in s3.list_parts(**args)["Parts"]]
    parts.append(dict(PartNumber=2, ETag=s3.upload_part(**args, PartNumber=2, Body=b"second")["ETag"]))
    s3.complete_multipart_upload(**args, MultipartUpload=dict(Parts=parts))
    assert s3.get_object(Bucket=bucket, Key=upload["Key"])["Body"].read() == b"a" * (5 << 20) + b"second"
    sys.exit()

s3.create_bucket(Bucket=bucket)
s3.put_object(Bucket=bucket, Key="a", Body=b"hello", ContentType="text/x", Metadata={"x": "y"})
got = s3.get_object(Bucket=bucket, Key="a")
assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (b"hello", "text/x", {"x": "y"})
assert s3.get_object(Bucket=bucket, Key="a", Range="bytes=1-2")["Body"].read() == b"el"
for algorithm in ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"):
    s3.put_object(Bucket=bucket, Key=algorithm, Body=b"x" * 100_000, ChecksumAlgorithm=algorithm)
    assert s3.head_object(Bucket=bucket, Key=algorithm, ChecksumMode="ENABLED")[f"Checksum{algorithm}"]

s3.upload_file(large, bucket, "large", Config=TransferConfig(multipart_chunksize=9_000_001, max_concurrency=4))
assert digest(s3.get_object(Bucket=bucket, Key="large")["Body"]) == expected
with open(large, "rb") as file:
    file.seek(8_999_000)
    piece = file.read(3000)
assert s3.get_object(Bucket=bucket, Key="large", Range="bytes=8999000-9001999")["Body"].read() == piece
s3.copy_object(Bucket=bucket, Key="copied", CopySource={"Bucket": bucket, "Key": "large"})
assert s3.head_object(Bucket=bucket, Key="copied")["ContentLength"] == os.path.getsize(large)

from concurrent.futures import ThreadPoolExecutor

with ThreadPoolExecutor(16) as pool:
    list(pool.map(lambda i: s3.put_object(Bucket=bucket, Key=f"many/{i % 10}/{i:05}", Body=b"x"), range(names)))
pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="many/", PaginationConfig={"PageSize": 700})
assert sum(len(page.get("Contents", [])) for page in pages) == names
rolled = s3.list_objects_v2(Bucket=bucket, Prefix="many/", Delimiter="/")
assert [p["Prefix"] for p in rolled["CommonPrefixes"]] == [f"many/{i}/" for i in range(10)]
for at in range(0, names, 1000):
    objects = [{"Key": f"many/{i % 10}/{i:05}"} for i in range(at, min(at + 1000, names))]
    assert "Errors" not in s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
assert s3.list_objects_v2(Bucket=bucket, Prefix="many/")["KeyCount"] == 0

refused("PreconditionFailed", s3.put_object, Bucket=bucket, Key="a", Body=b"2", IfNoneMatch="*")
refused("PreconditionFailed", s3.put_object, Bucket=bucket, Key="a", Body=b"2", IfMatch='"00"')
s3.put_object(Bucket=bucket, Key="a", Body=b"2", IfMatch=got["ETag"])
refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="none")

context = ssl.create_default_context(cafile=ca)
url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "signed"})
urllib.request.urlopen(urllib.request.Request(url, data=b"by a URL", method="PUT"), context=context).read()
url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "signed"})
assert urllib.request.urlopen(url, context=context).read() == b"by a URL"

# What is begun here goes on after a restart.
upload = s3.create_multipart_upload(Bucket=bucket, Key="begun")["UploadId"]
s3.upload_part(Bucket=bucket, Key="begun", UploadId=upload, PartNumber=1, Body=b"a" * (5 << 20))
