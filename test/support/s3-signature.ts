import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * What is wrong with the signature of a request to S3, in S3's own word; undefined if nothing is (AWS, "Authenticating
 * Requests: Using the Authorization Header", signature version 4). The sum of the body is taken for what it says it is.
 */
export function signatureProblem(
  request: IncomingMessage,
  wanted: { readonly key: string; readonly secret: string; readonly region: string },
): string | undefined {
  const header = request.headers.authorization ?? '';
  const [, key, date = '', region = '', signed = '', signature] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/.exec(
      header,
    ) ?? [];
  if (key === undefined) return 'AccessDenied';
  if (key !== wanted.key) return 'InvalidAccessKeyId';
  if (region !== wanted.region) return 'AuthorizationHeaderMalformed';
  const of = (name: string): string => String(request.headers[name] ?? '').trim();
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const canonical = [
    request.method,
    path,
    query
      .split('&')
      .map((each) => (each === '' || each.includes('=') ? each : `${each}=`))
      .sort()
      .join('&'),
    ...signed.split(';').map((name) => `${name}:${of(name)}`),
    '',
    signed,
    of('x-amz-content-sha256'),
  ].join('\n');
  const scope = `${date}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', of('x-amz-date'), scope, sha256(canonical)].join('\n');
  const signer = [date, region, 's3', 'aws4_request'].reduce<Buffer>(
    (by, part) => createHmac('sha256', by).update(part).digest(),
    Buffer.from(`AWS4${wanted.secret}`),
  );
  const right = createHmac('sha256', signer).update(text).digest('hex');
  return signature === right ? undefined : 'SignatureDoesNotMatch';
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
