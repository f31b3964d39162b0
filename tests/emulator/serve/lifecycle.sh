# The way of a model through curl: sh lifecycle.sh cpd|cloud ARCHIVE DIGITS
# Takes where to go from the environment, as `pytest-wml serve` says it. As `cloud`, IBM Cloud's hosts are found at
# the server. Prints the answer to the scoring, and the status of the deleted model.
set -eu
kind=$1 archive=$2 digits=$3
json='Content-Type: application/json'
query="version=2026-01-01&space_id=$WML_SPACE_ID"
ask() { curl --silent --show-error ${led:-} "$@"; }
member() { python3 -c 'import json, sys
found = json.load(sys.stdin)
for name in sys.argv[1].split("."): found = found[name]
print(found)' "$1"; }

if [ "$kind" = cloud ]; then
    led="--connect-to ::127.0.0.1:${WML_URL##*:}"
    ml=https://us-south.ml.cloud.ibm.com
    grant=grant_type=urn:ibm:params:oauth:grant-type:apikey
    token=$(ask --fail https://iam.cloud.ibm.com/identity/token -d "$grant" -d apikey=any | member access_token)
else
    ml=$WML_URL
    login="{\"username\": \"$WML_USERNAME\", \"api_key\": \"$WML_APIKEY\"}"
    token=$(ask --fail "$WML_URL/icp4d-api/v1/authorize" -H "$json" -d "$login" | member token)
fi
auth="Authorization: Bearer $token"

draft="{\"name\": \"digits\", \"type\": \"tensorflow_2.14\", \"space_id\": \"$WML_SPACE_ID\",
        \"software_spec\": {\"name\": \"runtime-24.1-py3.11\"}}"
model=$(ask --fail -H "$auth" -H "$json" -d "$draft" "$ml/ml/v4/models?$query" | member metadata.id)
ask --fail -o /dev/null -H "$auth" -T "$archive" "$ml/ml/v4/models/$model/content?$query&content_format=native"
draft="{\"name\": \"digits\", \"online\": {}, \"asset\": {\"id\": \"$model\"}, \"space_id\": \"$WML_SPACE_ID\"}"
deployment=$(ask --fail -H "$auth" -H "$json" -d "$draft" "$ml/ml/v4/deployments?$query" | member metadata.id)
state=initializing
while [ "$state" = initializing ]; do
    sleep 0.05
    state=$(ask --fail -H "$auth" "$ml/ml/v4/deployments/$deployment?$query" | member entity.status.state)
done
ask --fail -H "$auth" -H "$json" -d "@$digits" "$ml/ml/v4/deployments/$deployment/predictions?version=2026-01-01"
echo
ask --fail -X DELETE -H "$auth" "$ml/ml/v4/deployments/$deployment?$query"
ask --fail -X DELETE -H "$auth" "$ml/ml/v4/models/$model?$query"
ask -o /dev/null -w '%{http_code}\n' -H "$auth" "$ml/ml/v4/models/$model?$query"
