using Microsoft.ML;

namespace MLExtensions.Tests.Quatrains;

/// <summary>A poem with what it is about.</summary>
internal sealed class QuatrainSample
{
    private static readonly MLContext Ml = new(1);

    public string Poem { get; set; } = "";

    public string Title { get; set; } = "";

    /// <summary>A small network that has hardly learned anything.</summary>
    public static QuatrainTransformer Fit(string[]? poems = null, Action<QuatrainEstimator.Options>? change = null, IDataView? data = null)
    {
        var options = new QuatrainEstimator.Options { AcrosticColumnName = "Acrostic", PatternColumnName = "Pattern", SeedColumnName = "Seed" };
        (options.Network.HiddenUnits, options.Network.Epochs, options.Network.Tokenization, options.Network.Seed) = (16, 2, Tokenization.Characters(), TestSeed.Of(1));
        change?.Invoke(options);
        return Ml.LanguageModels.Trainers.Quatrains(options).Fit(data ?? View(poems ?? Poems(60)));
    }

    /// <summary>Common characters of all tones and many rhymes in random order: enough to write with.</summary>
    public static string[] Poems(int count)
    {
        const string Characters = "一不人山風日無天來花中上春有年月水雲時何得行生白事長心爲君自此如歸相知見秋門夜前家下三道起今城飛老江未高去客處金物香酒色公樓落清寒馬空子玉雨東青明頭光遠南思到開獨莫出千煙可林古書西樹清竹松鐘紅功窮空中宮通同童蓬翁終戎崇弓雄融虹蒙籠聾公東太平地春夏冬";
        var random = new Random(7);
        var letters = Characters.Distinct().ToArray();
        return [.. Enumerable.Range(0, count).Select(i => string.Join('|', Enumerable.Range(0, 4).Select(_ => string.Concat(Enumerable.Range(0, i % 2 == 0 ? 5 : 7).Select(_ => letters[random.Next(letters.Length)])))))];
    }

    public static IDataView View(string[] poems) => Ml.Data.LoadFromEnumerable(poems.Select(poem => new QuatrainSample { Poem = poem, Title = poem[..2] }));
}
