using static MLExtensions.Snippets.SnippetContext;

namespace MLExtensions.Snippets;

/// <summary>Documents about texts.</summary>
internal static class Texts
{
    private static readonly string[] Poems =
    [
        "白日依山盡，黃河入海流。欲窮千里目，更上一層樓。",
        "床前明月光，疑是地上霜。舉頭望明月，低頭思故鄉。",
        "春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。",
        "千山鳥飛絕，萬徑人蹤滅。孤舟蓑笠翁，獨釣寒江雪。",
        "朝辭白帝彩雲間，千里江陵一日還。兩岸猿聲啼不住，輕舟已過萬重山。",
        "故人西辭黃鶴樓，煙花三月下揚州。孤帆遠影碧空盡，唯見長江天際流。",
        "月落烏啼霜滿天，江楓漁火對愁眠。姑蘇城外寒山寺，夜半鐘聲到客船。",
        "去年今日此門中，人面桃花相映紅。人面不知何處去，桃花依舊笑春風。",
        "千里鶯啼綠映紅，水村山郭酒旗風。南朝四百八十寺，多少樓臺煙雨中。",
        "渭城朝雨浥輕塵，客舍青青柳色新。勸君更盡一杯酒，西出陽關無故人。",
    ];

    public static void LanguageModels(Snippet snippet)
    {
        const string Play = "ROMEO:\nBut, soft! what light through yonder window breaks?\nIt is the east, and Juliet is the sun.\n\n"
            + "JULIET:\nO Romeo, Romeo! wherefore art thou Romeo?\n";
        File.WriteAllText("shakespeare.txt", string.Concat(Enumerable.Repeat(Play, 2)));
        if (snippet.Has("\"model.zip\""))
        {
            var lines = ml.Data.LoadFromTextLines("shakespeare.txt");
            var options = new LanguageModelEstimator.Options { Tokenization = Tokenization.Characters(), HiddenUnits = 8, Epochs = 1 };
            using var language = ml.LanguageModels.Trainers.Lstm(options).Fit(lines);
            ml.Model.Save(language, lines.Schema, "model.zip");
        }
        var reviews = Enumerable.Range(0, 20).Select(i => new Review { Title = i % 2 == 0 ? "Batteries" : "Lamp", Text = $"Bought {i}, good." });
        data = Tables.View(reviews);
    }

    public static void Quatrains(Snippet snippet)
    {
        train = Tables.View(Poems.Select(poem => new Wish { Poem = poem, Title = poem[..2] }));
        test = train;
        data = Tables.View(Poems.Skip(4).Take(2).Select((poem, i) => new Wish
        {
            Poem = poem,
            Title = "春江",
            Acrostic = "天下太平",
            Pattern = "5",
            Rhyme = "東",
            Seed = i + 1,
        }));
    }

    public static void Topics(Snippet snippet) =>
        train = Tables.View(Enumerable.Range(0, 20).Select(i => i % 2 == 0
            ? new News { Topic = "sport", Text = $"The team won {i} games." }
            : new News { Topic = "market", Text = $"Shares fell by {i} points." }));

    private sealed class Review
    {
        public string Title { get; set; } = "";

        public string Text { get; set; } = "";
    }

    private sealed class Wish
    {
        public string Poem { get; set; } = "";

        public string Title { get; set; } = "";

        public string Acrostic { get; set; } = "";

        public string Pattern { get; set; } = "";

        public string Rhyme { get; set; } = "";

        public long Seed { get; set; }
    }

    private sealed class News
    {
        public string Topic { get; set; } = "";

        public string Text { get; set; } = "";
    }
}
