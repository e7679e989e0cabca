s// agentUtils.setMetaInfo("GenesysMetaData", JSON.stringify({ "Old": "value" }));
var employee = context.entities.EmployeeID;
agentUtils.setMetaInfo("GenesysMetaData", JSON.stringify({
    "EmployeeID": employee,
    Channel: "intranet",
    "Tier": context.session.BotUserSession.tier || "standard",
    "Visits": 3,
    "Summary": "Employee " + context.entities.EmployeeID + ` asks for {{ help }}`,
    "Started": new Date().toISOString()
}));

var routing = {};
routing.QueueName = context.entities.QueueName;
if (context.entities.Urgent) {
    routing["Urgent"] = "true";
}
agentUtils.setMetaInfo("GenesysMetaData", JSON.stringify(routing));
agentUtils.setMetaInfo("genesysMetadata", JSON.stringify({ "Misspelt": "key" }));
agentUtils.setMetaInfo("GenesysMetaData", buildIt());

var extra = { "Region": "EMEA", "Floor": 3 };
enrich(extra);
delete extra.Floor;
agentUtils.setMetaInfo("GenesysMetaData", extra);
if (context.entities.Vip) {
    agentUtils.setMetaInfo("GenesysMetaData", JSON.stringify({ "Vip": "yes" }));
}
