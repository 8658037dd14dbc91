using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.Conversations;

/// <summary>A turn of a conversation.</summary>
internal sealed class ConversationSample
{
    public string Conversation { get; set; } = "";

    public int Turn { get; set; }

    public string Text { get; set; } = "";

    public string Reply { get; set; } = "";

    public string Speaker { get; set; } = "";

    public static IDataView View(MLContext ml, params IEnumerable<ConversationSample> rows) => ml.Data.LoadFromEnumerable(rows);

    public static ConversationSample Row(string conversation, int turn, string text, string reply = "", string speaker = "") =>
        new() { Conversation = conversation, Turn = turn, Text = text, Reply = reply, Speaker = speaker };

    /// <summary>Two conversations whose rows are mixed.</summary>
    public static ConversationSample[] Mixed() =>
        [Row("x", 1, "one"), Row("y", 1, "eins"), Row("x", 2, "two"), Row("x", 4, "three"), Row("y", 2, "zwei"), Row("x", 5, "four")];

    public static string[] Column(IDataView data, string name = "Source") => data.GetColumn<string>(name).ToArray();
}

/// <summary>What a prediction engine gives.</summary>
internal sealed class HistoryResult
{
    public string Source { get; set; } = "";
}
