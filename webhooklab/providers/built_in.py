"""The providers that come with webhooklab, in the order in which they are asked."""

from __future__ import annotations

from webhooklab.providers.base import Provider
from webhooklab.providers.bitbucket import BITBUCKET
from webhooklab.providers.business import DOCUSIGN, DROPBOX, HUBSPOT, INTERCOM, TYPEFORM
from webhooklab.providers.cloudevents import CLOUDEVENTS
from webhooklab.providers.customers import CALENDLY, LINE, WOOCOMMERCE
from webhooklab.providers.discord import DISCORD
from webhooklab.providers.gitea import FORGEJO, GITEA, GOGS
from webhooklab.providers.github import GITHUB
from webhooklab.providers.gitlab import GITLAB
from webhooklab.providers.hookdeck import HOOKDECK
from webhooklab.providers.linear import LINEAR
from webhooklab.providers.mail import (
    BREVO,
    MAILERSEND,
    MAILGUN,
    MAILJET,
    MAILTRAP,
    POSTAL,
    POSTMARK,
    RESEND,
    SENDGRID,
)
from webhooklab.providers.mail_wrapped import AMAZON_SES, MANDRILL, SPARKPOST, UNISENDER_GO
from webhooklab.providers.meta import META
from webhooklab.providers.microsoft_graph import MICROSOFT_GRAPH
from webhooklab.providers.operations import JIRA, PAGERDUTY, SENTRY, ZENDESK
from webhooklab.providers.payments import PADDLE, PADDLE_CLASSIC, PAYPAL, SQUARE
from webhooklab.providers.shopify import SHOPIFY
from webhooklab.providers.slack import SLACK
from webhooklab.providers.standard_webhooks import STANDARD_WEBHOOKS, SVIX
from webhooklab.providers.stripe import STRIPE
from webhooklab.providers.twilio import TWILIO
from webhooklab.providers.twitch import TWITCH
from webhooklab.providers.zoom import ZOOM

PROVIDERS: tuple[Provider, ...] = (
    # Those who imitate others' headers come before those whom they imitate.
    FORGEJO,
    GITEA,
    GOGS,
    GITHUB,
    GITLAB,
    BITBUCKET,
    STRIPE,
    SHOPIFY,
    SLACK,
    DISCORD,
    TWILIO,
    TWITCH,
    ZOOM,
    META,
    MICROSOFT_GRAPH,
    PAYPAL,
    SQUARE,
    PADDLE,
    PADDLE_CLASSIC,
    LINEAR,
    HUBSPOT,
    DOCUSIGN,
    INTERCOM,
    TYPEFORM,
    SENTRY,
    PAGERDUTY,
    JIRA,
    ZENDESK,
    WOOCOMMERCE,
    CALENDLY,
    LINE,
    SENDGRID,
    MAILGUN,
    POSTMARK,
    BREVO,
    MAILERSEND,
    MAILJET,
    MAILTRAP,
    MANDRILL,
    POSTAL,
    SPARKPOST,
    UNISENDER_GO,
    AMAZON_SES,
    # What many use as their format comes after those who are known by more.
    RESEND,
    SVIX,
    CLOUDEVENTS,
    STANDARD_WEBHOOKS,
    DROPBOX,
    HOOKDECK,
)
"""The first that recognises a request interprets it."""
