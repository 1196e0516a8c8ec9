// Settings of clients for an endpoint, ready to be copied.

export interface Endpoint {
  readonly url: string;
  readonly bucket: string;
}

const ID = 'ACCESS_KEY_ID';
const SECRET = 'SECRET_ACCESS_KEY';

export const readyMade = ({ url, bucket }: Endpoint): string => `aws
  export AWS_ACCESS_KEY_ID=${ID} AWS_SECRET_ACCESS_KEY=${SECRET} AWS_REGION=us-east-1
  aws --endpoint-url ${url} s3 ls s3://${bucket}/
rclone
  [pocketful]
  type = s3
  provider = Other
  endpoint = ${url}
  access_key_id = ${ID}
  secret_access_key = ${SECRET}
restic
  export AWS_ACCESS_KEY_ID=${ID} AWS_SECRET_ACCESS_KEY=${SECRET}
  restic -r s3:${url}/${bucket}/restic init`;
