svar a = b + c, b = a + c, c = a + b;
agentUtils.setMetaInfo("GenesysMetaData", JSON.stringify({ "x": a, "y": `${b}${c}` }));
