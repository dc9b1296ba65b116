-- People's own keys are found by their owner, and the bin by what is in it.
CREATE INDEX relay_key_owner ON relay_key (config ->> 'ownerId', id) WHERE config ->> 'ownerId' IS NOT NULL;
CREATE INDEX relay_key_deleted ON relay_key (config ->> 'deletedAt', id) WHERE config ->> 'deletedAt' IS NOT NULL;
