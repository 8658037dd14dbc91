using static MLExtensions.Snippets.SnippetContext;

namespace MLExtensions.Snippets;

/// <summary>Documents about sequences of numbers and symbols.</summary>
internal static class Series
{
    public static void Forecasting(Snippet snippet)
    {
        var rows = Tables.View(Enumerable.Range(0, 120).Select(month => new Reading { Temperature = MathF.Sin(month * MathF.PI / 6) }));
        (train, data) = (ml.Data.TakeRows(rows, 100), rows);
        history = [.. rows.GetColumn<float>("Temperature").Take(40)];
        if (snippet.Has("model.Forecast(history)"))
            model = ml.Forecasting.ForecastByLstm("Forecast", "Temperature", windowSize: 36, horizon: 12, epochs: 1).Fit(train);
    }

    public static void HiddenMarkov(Snippet snippet)
    {
        if (snippet.Has("\"Word\""))
            train = Sentences();
        else if (snippet.Has("weather"))
            (train, test) = (Activities(0), Activities(1));
        else
            (train, test) = (Machines(0), Machines(1));
    }

    private static IDataView Machines(int seed)
    {
        var random = new Random(seed);
        return Tables.View(Enumerable.Range(0, 120).Select(i => new Reading
        {
            Machine = $"machine {i / 40}",
            Temperature = (i / 10 % 3 * 5) + random.NextSingle(),
            Observation = (i / 10 % 3 * 5) + random.NextSingle(),
        }));
    }

    /// <summary>Some words without a tag.</summary>
    private static IDataView Sentences()
    {
        string[] words = ["the", "dog", "barks"], tags = ["article", "noun", "verb"];
        var tokens = Enumerable.Range(0, 60).Select(i => new Token { Sentence = $"sentence {i / 6}", Word = words[i % 3], Tag = i % 5 == 0 ? "" : tags[i % 3] });
        return Tables.View(tokens);
    }

    private static IDataView Activities(int seed)
    {
        string[] symbols = ["walk", "shop", "clean"];
        return Tables.View(Enumerable.Range(0, 30).Select(i => new Activity { Sequence = $"week {i / 7}", Observation = symbols[(i + seed) % 3] }));
    }

    private sealed class Reading
    {
        public string Machine { get; set; } = "";

        public float Temperature { get; set; }

        public float Observation { get; set; }
    }

    private sealed class Token
    {
        public string Sentence { get; set; } = "";

        public string Word { get; set; } = "";

        public string Tag { get; set; } = "";
    }

    private sealed class Activity
    {
        public string Sequence { get; set; } = "";

        public string Observation { get; set; } = "";
    }
}
