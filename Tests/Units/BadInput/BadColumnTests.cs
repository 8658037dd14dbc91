using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Tests.BadInput;

/// <summary>Columns and values that nobody can train on or score are refused, by column, row and value.</summary>
[TestClass]
public sealed class BadColumnTests
{
    private static readonly BadCase[] Cases =
    [
        new("a label that is text", () => Bad.Multiclass(o => o.LabelColumnName = "Group").Fit(Bad.View()), "'Group'", "MapValueToKey"),
        new("a label that is a date", () => Bad.Regression(o => o.LabelColumnName = "Time").Fit(Bad.View()), "'Time'", "Single"),
        new("a label that is double", () => Bad.Regression(o => o.LabelColumnName = "Wide").Fit(Bad.View()), "'Wide'", "ConvertType"),
        new("a label with several values", () => Bad.Regression(o => o.LabelColumnName = "Features").Fit(Bad.View()), "'Features'", "Single"),
        new("features that are text", () => Bad.Binary(o => o.FeatureColumnName = "Text").Fit(Bad.View()), "'Text'", "Featurize"),
        new("features that are dates", () => Bad.Binary(o => o.FeatureColumnName = "Time").Fit(Bad.View()), "'Time'", "Single"),
        new("features that are doubles", () => Bad.Cnn(o => o.FeatureColumnName = "Doubles").Fit(Bad.View()), "'Doubles'", "ConvertType"),
        new("features that are words", () => Bad.Rbm(o => o.InputColumnName = "Words").Fit(Bad.View()), "'Words'", "Single"),
        new("a float[] without a size", () => Bad.Autoencoder(o => o.InputColumnName = "Values").Fit(Bad.View()), "'Values'", "[VectorType("),
        new("sequences of doubles", () => Bad.Recurrent("Doubles").Fit(Bad.View()), "'Doubles'", "ConvertType"),
        new("sequences of words that are no keys", () => Bad.Recurrent("Words").Fit(Bad.View()), "'Words'", "MapValueToKey"),
        new("a single number as a sequence", () => Bad.Recurrent("Weight").Fit(Bad.View()), "'Weight'"),
        new("a text column that is a vector", () => Bad.Language(o => o.TextColumnName = "Words").Fit(Bad.View()), "'Words'", "Text"),
        new("a text column that is a number", () => Bad.Language(o => o.TextColumnName = "Target").Fit(Bad.View()), "'Target'", "Text"),
        new("a series of doubles", () => Bad.Forecaster(o => o.InputColumnName = "Wide").Fit(Bad.View()), "'Wide'", "Single"),
        new("a series of vectors", () => Bad.Forecaster(o => o.InputColumnName = "Features").Fit(Bad.View()), "'Features'"),
        new("a time column of text", () => Bad.Forecaster(o => o.TimeColumnName = "Group").Fit(Bad.View()), "'Group'"),
        new("a time column that is not there", () => Bad.Forecaster(o => o.TimeColumnName = "When").Fit(Bad.View()), "'When'", "Time"),
        new("a series group of dates", () => Bad.Forecaster(o => o.GroupColumnName = "Time").Fit(Bad.View()), "'Time'"),
        new("an extra column without a size", () => Bad.Forecaster(o => o.ExtraColumnNames = ["Values"]).Fit(Bad.View()), "'Values'"),
        new("rows against the time", () => Bad.Forecaster(o => o.TimeColumnName = "Time").Fit(Bad.View(Array.Reverse)), "'Time'", "row 1"),
        new("two rows of one time", () => Bad.Forecaster(o => o.TimeColumnName = "Time").Fit(Bad.View(rows => rows[5].Time = rows[4].Time)), "'Time'", "row 5"),
        new("an infinite value of a series", () => Bad.Forecaster().Fit(Bad.View(rows => rows[5].Target = float.NegativeInfinity)), "'Target', row 5"),
        new("a series of NaN only", () => Bad.Forecaster().Fit(Bad.View(rows => Array.ForEach(rows, row => row.Target = float.NaN))), "'Target', row 0"),
        new("all series too short", () => Bad.Forecaster(o => o.GroupColumnName = "Group").Fit(Bad.View(count: 12)), "at least 6"),
        new("a single row of a series", () => Bad.Forecaster().Fit(Bad.View(count: 1)), "at least 6"),
        new("no row of a series", () => Bad.Forecaster().Fit(Bad.View(count: 0)), "no rows"),
        new("a huge label", () => Bad.Regression().Fit(Bad.View(rows => rows[3].Target = float.PositiveInfinity)), "'Target', row 3", "Infinity"),
        new("labels that are all missing", () => Bad.Multiclass().Fit(Bad.View(rows => Array.ForEach(rows, row => row.Class = 9))), "'Class'", "None of the 24 rows"),
        new("labels that are all NaN", () => Bad.Recurrent("Text").Fit(Bad.View(rows => Array.ForEach(rows, row => row.Target = float.NaN))), "'Target'", "None of the 24 rows"),
        new("validation labels that are all missing", () => Bad.Multiclass().Fit(Bad.View(), Bad.View(rows => Array.ForEach(rows, row => row.Class = 9))), "'Class'", "alidation"),
        new("weights that are dates", () => Bad.Binary(o => o.ExampleWeightColumnName = "Time").Fit(Bad.View()), "'Time'", "Single"),
        new("a weight of minus infinity", () => Bad.ResNet(o => o.ExampleWeightColumnName = "Weight").Fit(Bad.View(rows => rows[2].Weight = float.NegativeInfinity)), "'Weight', row 2"),
        new("a feature that is NaN in validation", () => Bad.Binary().Fit(Bad.View(), Bad.View(rows => rows[2].Features[1] = float.NaN)), "alidation", "'Features', row 2 (the first row is 0), slot 1"),
        new("a row that is shorter in validation", () => Bad.Binary().Fit(Bad.View(), Bad.View(rows => rows[2].Features = [1])), "'Features', row 2"),
        new("features that are null", () => Bad.Binary().Fit(Bad.View(rows => rows[2].Features = null!)), "'Features', row 2"),
        new("pixels that are NaN", () => Bad.Cnn().Fit(Bad.View(rows => rows[4].Pixels[7] = float.NaN)), "'Pixels', row 4 (the first row is 0), slot 7"),
        new("a number sequence with infinity", () => Bad.Recurrent("Values").Fit(Bad.View(rows => rows[7].Values[1] = float.PositiveInfinity)), "'Values', row 7 (the first row is 0), slot 1"),
        new("texts that are all null", () => Bad.Recurrent("Text").Fit(Bad.View(rows => Array.ForEach(rows, row => row.Text = null))), "'Text'"),
        new("sequences that are all empty", () => Bad.Recurrent("Values").Fit(Bad.View(rows => Array.ForEach(rows, row => row.Values = []))), "'Values'"),
        new("one empty sequence that is to be refused", () => Bad.Recurrent("Values", o => o.EmptySequenceHandling = EmptySequenceHandling.Throw).Fit(Bad.View(rows => rows[2].Values = [])), "'Values', row 2"),
        new("a long sequence that is to be refused", () => Bad.Recurrent("Text", o => (o.MaximumLength, o.LongSequenceHandling) = (2, LongSequenceHandling.Throw)).Fit(Bad.View()), "'Text', row 0", "3"),
        new("an unknown character that is to be refused", () => Bad.Language(o => o.Tokenization = Tokenization.Characters(allowUnknown: false)).Fit(Bad.View(), Bad.View(rows => rows[3].Text = "\u4E2D")), "'Text', row 3", "\u4E2D"),
        new("a language model of nothing", () => Bad.Language().Fit(Bad.View(rows => Array.ForEach(rows, row => row.Text = ""))), "'Text'"),
        new("a language model of no rows", () => Bad.Language().Fit(Bad.View(count: 0)), "0 tokens"),
        new("negative probabilities", () => Bad.Rbm().Fit(Bad.View(rows => rows[9].Features[2] = -1)), "'Features', row 9 (the first row is 0), slot 2", "NormalizeMinMax"),
        new("softmax groups of another sum", () => Bad.Rbm(o => (o.VisibleUnits, o.SoftmaxGroups) = (VisibleUnitType.Softmax, [2, 3])).Fit(Bad.View()), "SoftmaxGroups is 2, 3", "4"),
        new("an output column that is an input of the type", () => Bad.Rbm(o => o.ReconstructionColumnName = "Codes"), "Codes"),
        new("an autoencoder of one value outside", () => Bad.Autoencoder().Fit(Bad.View(rows => rows[0].Features[0] = 255)), "'Features', row 0 (the first row is 0), slot 0", "255"),
        new("validation of another width", () => Bad.Binary(o => o.FeatureColumnName = "F").Fit(Wide("Features"), Wide("Pixels")), "'F'", "192", "4"),
        new("validation without the label", () => Bad.Binary().Fit(Bad.View(), Without("Flag")), "'Flag'", "alidation"),
        new("validation without the features", () => Bad.Rbm().Fit(Bad.View(), Without("Features")), "'Features'"),
        new("validation of another label type", () => Bad.Regression().Fit(Bad.View(), Retyped()), "'Target'"),
        new("no training data", () => Bad.Binary().Fit(null!), "input"),
        new("no validation data", () => Bad.Autoencoder().Fit(Bad.View(), null!), "validation"),
        new("scoring without the column", () => Bad.Model("MlpBinary").Transform(Without("Features")), "'Features'"),
        new("scoring another width", () => Bad.Read(Bad.Model("MlpBinary").FindNetwork<BinaryNetworkTransformer>().Transform(Bad.View())), "'Features'", "4"),
        new("scoring text for numbers", () => Bad.Model("Autoencoder").Transform(Bad.Ml.Transforms.CopyColumns("Features", "Text").Fit(Bad.View()).Transform(Bad.View())), "'Features'"),
        new("scoring images of another size", () => Bad.Read(Bad.Model("CnnBinary").FindNetwork<BinaryNetworkTransformer>().Transform(Bad.View())), "'Features'", "4"),
        new("scoring sequences of words", () => Bad.Model("LstmTexts").Transform(Bad.Ml.Transforms.CopyColumns("Text", "Words").Fit(Bad.View()).Transform(Bad.View())), "'Text'"),
        new("scoring text that is a number", () => Bad.Model("LanguageModel").Transform(Bad.Ml.Transforms.CopyColumns("Text", "Target").Fit(Bad.View()).Transform(Bad.View())), "'Text'"),
        new("forecasting without the series", () => Bad.Model("Forecast").Transform(Bad.View()), "'Value'"),
        new("a forecast of nothing", () => Bad.Model("Forecast").Forecast(Array.Empty<float>()), "0 values", "12"),
        new("a forecast of null", () => Bad.Model("Forecast").Forecast((IEnumerable<float>)null!), "history"),
        new("a forecast of one value too few", () => Bad.Model("Forecast").Forecast(Enumerable.Repeat(1f, 11)), "11 values", "12"),
        new("a forecast of NaN", () => Bad.Model("Forecast").Forecast(Enumerable.Repeat(float.NaN, 30)), "NaN"),
        new("a forecast of infinity at the end", () => Bad.Model("Forecast").Forecast(Enumerable.Repeat(1f, 30).Append(float.PositiveInfinity)), "Infinity"),
        new("a forecast of several, one empty", () => Bad.Model("Forecast").Forecast([Enumerable.Repeat(1f, 20), []]), "0 values"),
        new("a forecast of several, one null", () => Bad.Model("Forecast").Forecast([Enumerable.Repeat(1f, 20), null!]), "history"),
        new("a forecast of a perceptron", () => Bad.Model("MlpBinary").Forecast([1f]), "ForecastByLstm"),
        new("a forecast of a view without rows", () => Bad.Model("Forecast").Forecast(Series([])), "no rows"),
        new("a forecast of a view that is short", () => Bad.Model("Forecast").Forecast(Series([1, 2, 3])), "12"),
        new("a forecast of a view with NaN", () => Bad.Model("Forecast").Forecast(Series([.. Enumerable.Repeat(1f, 15), float.NaN])), "row 15", "NaN"),
        new("metrics of no forecasts", () => Bad.Ml.Forecasting.EvaluateForecast(Bad.View(), "Target", "Forecast"), "'Forecast'"),
        new("metrics of a forecast that is a number", () => Bad.Ml.Forecasting.EvaluateForecast(Bad.View(), "Target", "Weight"), "'Weight'"),
        new("metrics of values that are a vector", () => Bad.Ml.Forecasting.EvaluateForecast(Bad.View(), "Features", "Features"), "'Features'"),
        new("a season of 0", () => Bad.Ml.Forecasting.EvaluateForecast(Bad.View(), "Target", "Features", seasonLength: 0), "seasonLength is 0"),
        new("a season that is longer than the data", () => Bad.Ml.Forecasting.EvaluateForecast(Bad.View(), "Target", "Features", seasonLength: 1000), "seasonLength"),
        new("perplexity of data without scores", () => Bad.Ml.LanguageModels.Evaluate(Bad.View()), "'LogProbability'"),
        new("perplexity of a column that is a number", () => Bad.Ml.LanguageModels.EvaluateContinuous((LanguageModelTransformer)Bad.Model("LanguageModel"), Bad.Ml.Transforms.CopyColumns("Text", "Target").Fit(Bad.View()).Transform(Bad.View())), "'Text'"),
        new("perplexity of no text", () => Bad.Ml.LanguageModels.EvaluateContinuous((LanguageModelTransformer)Bad.Model("LanguageModel"), Bad.View(count: 0)), "at least 2"),
        new("free energy of no rows", () => ((RbmTransformer)Bad.Model("Rbm").FindNetwork<RbmTransformer>()).FreeEnergy(Bad.Ml.Transforms.SelectColumns("Features").Fit(Bad.View()).Transform(Bad.View(count: 0))), "Features"),
    ];

    public static IEnumerable<object[]> Names => BadCase.NamesOf(Cases);

    [TestMethod]
    [Timeout(10_000)]
    [DynamicData(nameof(Names))]
    public void IsRefused(string name) => BadCase.Check(Cases, name);

    private static IDataView Without(string column) => Bad.Ml.Transforms.DropColumns(column).Fit(Bad.View()).Transform(Bad.View());

    private static IDataView Wide(string column) => Bad.Ml.Transforms.CopyColumns("F", column).Fit(Bad.View()).Transform(Bad.View());

    private static IDataView Retyped() => Bad.Ml.Transforms.CopyColumns("Target", "Flag").Fit(Bad.View()).Transform(Bad.View());

    private static IDataView Series(float[] values)
    {
        var builder = new ArrayDataViewBuilder(Bad.Ml);
        builder.AddColumn("Value", NumberDataViewType.Single, values);
        return builder.GetDataView();
    }
}
